import * as z from 'zod';

/** What is going to change about one unit; null: it stays as it is. */
export interface Migration {
  /** Name of the appliance in the configuration. */
  readonly unit: string;
  /** The serial number that the unit will have, or that a licence moves to. */
  readonly serial: string | null;
  /** The address that its traffic will come from. */
  readonly address: string | null;
  readonly firmware: string | null;
  /** The licences that move to `serial` while the unit stays; empty: the unit itself is replaced. */
  readonly licenses: readonly string[];
}

export const migrationSchema: z.ZodType<Migration> = z.object({
  unit: z.string(),
  serial: z.nullable(z.string()),
  address: z.nullable(z.string()),
  firmware: z.nullable(z.string()),
  licenses: z.array(z.string()),
});
