const CHECK_EVERY_MS = 15;

/** What `check` gives once that is neither undefined nor false; rejects when it is not in time, saying what was waited for. */
export async function until<Value>(
  what: string,
  limitMs: number,
  check: () => Promise<Value | undefined | false> | Value | undefined | false,
): Promise<Value> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() >= endMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, CHECK_EVERY_MS);
    });
  }
}
