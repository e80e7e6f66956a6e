/** Receives messages for the daemon's administrator. The interface is compatible with pino's logger. */
export interface OperatorLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
