/** `source` of the events of suspensions. */
export const SUSPENSION_SOURCE = '/suspensions'
