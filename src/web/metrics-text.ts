/** As prom-client gives it. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}
