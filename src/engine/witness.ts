/**
 * Who tells of a fault, where it is not this machine's own look at what is broken. What such a look shows may be over a
 * moment later: lost, refused and reset connections of one second are a firewall that takes its policies again, or a
 * server that restarts. Each of these tells something that such a moment does not explain:
 * - `appliance-log`: FortiAuthenticator's own log. It suffered too, and its complaint would be told by itself.
 * - `firewall`: says what it does with the traffic, by its policy or its log. That is a statement, not a loss.
 * - `other-host`: shows the same that is no loss, such as a certificate by the same inspecting authority.
 * - `peer`: another agent saw it at another moment.
 */
export type Witness = 'appliance-log' | 'firewall' | 'other-host' | 'peer';
