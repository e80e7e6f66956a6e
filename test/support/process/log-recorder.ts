import type { LogFields } from '../../../src/system/operator-log.ts';

export interface RecordedLine {
  readonly level: 'info' | 'warn' | 'error' | 'debug';
  readonly event: string;
  readonly message: string;
  /** Without the event. */
  readonly fields: object;
}

/** Collects pino's output for the test. */
export interface LogRecorder {
  readonly lines: RecordedLine[];
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export function logRecorder(): LogRecorder {
  const lines: RecordedLine[] = [];
  const record =
    (level: RecordedLine['level']) =>
    ({ event, ...fields }: LogFields, message: string): void => {
      lines.push({ level, event, message, fields });
    };
  return { lines, debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') };
}
