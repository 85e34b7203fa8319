import { z } from 'zod';

export const logStreamShape = z.enum(['stdout', 'stderr']);
