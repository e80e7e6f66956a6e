import type { FramedLine, LineSink } from '../../../src/logs/framing.ts';

export interface CollectedLine {
  readonly text: string;
  readonly cut: boolean;
}

/** Collects a framer's lines, and checks that text and bytes match. */
export interface LineCollector extends LineSink {
  readonly lines: CollectedLine[];
}

export function lineCollector(): LineCollector {
  const lines: CollectedLine[] = [];
  return {
    lines,
    piece: () => {},
    line: ({ bytes, text, start, end, cut }: FramedLine) => {
      const fromBytes = bytes.toString('latin1', start, end);
      if (fromBytes !== text.slice(start, end))
        throw new Error(`Text and bytes differ: "${text.slice(start, end)}", "${fromBytes}"`);
      lines.push({ text: fromBytes, cut });
    },
  };
}
