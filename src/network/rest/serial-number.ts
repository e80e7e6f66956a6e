import { z } from 'zod';

/** A serial or licence number as Fortinet writes them, `FAC-VM0000000000`: safe to show and to compare. */
export const serialNumber: z.ZodType<string> = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{2,39}$/u)
  .toUpperCase();
