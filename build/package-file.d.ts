/** `package.json` lies outside of `src/`, and is read where it is. */
declare module '*/package.json' {
  const packageFile: { readonly version: string };
  export default packageFile;
}
