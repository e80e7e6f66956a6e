/** The name of the event is stable, unlike the message. */
export interface LogFields {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A pino logger implements this interface. */
export interface OperatorLog {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
}
