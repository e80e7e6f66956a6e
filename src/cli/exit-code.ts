/** What was asked for wrongly, or cannot be known: a Nagios plugin's "unknown". */
export const EXIT_UNKNOWN = 3;
