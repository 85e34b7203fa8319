export { fitAfter } from '../../domain/bid-fit.ts';
