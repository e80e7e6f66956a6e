/** Where messages come from, how they tell times, and where their links lead. */
export interface MessageContext {
  readonly site: string;
  /** IANA time zone of the site: times are told in it and in UTC. */
  readonly timezone: string;
  /** Where people reach the status page, without a slash at the end; null: no message links to it. */
  readonly publicUrl: string | null;
  /** Where the runbooks are, without a slash at the end; null: below `publicUrl`. */
  readonly runbookUrl: string | null;
}
