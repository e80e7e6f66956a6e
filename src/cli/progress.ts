import type { RoundProgress } from '../runtime/round/observe-round.ts';

/** A terminal that a line can be rewritten on. */
export interface ProgressOutput {
  /** 0: a console that does not know. */
  readonly columns: number;
  write(text: string): unknown;
}

/** One line that says what is still being waited for; it is gone in the end. */
export interface ProgressLine {
  /** Another look at everything begins. */
  look(): void;
  show(progress: RoundProgress): void;
  /** What is waited for now. */
  waitingFor(): readonly string[];
  clear(): void;
}

const ERASE_LINE = '\r\u001B[2K';
const USUAL_COLUMNS = 80;

export function createProgressLine(output: ProgressOutput | null): ProgressLine {
  const waiting = new Set<string>();
  let looks = 0;
  return {
    look: () => {
      looks += 1;
    },
    show: ({ subject, kind }) => {
      if (kind === 'started') waiting.add(subject);
      else waiting.delete(subject);
      const text = waiting.size === 0 ? '' : `${introOf(looks)} ${[...waiting].join(', ')}`;
      output?.write(`${ERASE_LINE}${text.slice(0, (output.columns || USUAL_COLUMNS) - 1)}`);
    },
    waitingFor: () => [...waiting],
    clear: () => output?.write(ERASE_LINE),
  };
}

/** That it takes longer has a reason. */
function introOf(looks: number): string {
  return looks <= 1 ? 'Waiting for' : `Looking once more to be sure (${String(looks)}). Waiting for`;
}
