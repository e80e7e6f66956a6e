/** What the log intake tells the operator: pino's logger fits. */
export interface IntakeLogger {
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
