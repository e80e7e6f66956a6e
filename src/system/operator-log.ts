/** Takes messages for the administrator of the daemon; pino's logger fits. */
export interface OperatorLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
