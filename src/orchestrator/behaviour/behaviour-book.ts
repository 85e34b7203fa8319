export type { BehaviourBook } from '../../domain/behaviour-book.ts';
