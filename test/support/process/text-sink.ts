/** Collects the output of a command. */
export interface TextSink {
  write(text: string): void;
  text(): string;
}

export function textSink(): TextSink {
  const parts: string[] = [];
  return {
    write: (text) => {
      parts.push(text);
    },
    text: () => parts.join(''),
  };
}
