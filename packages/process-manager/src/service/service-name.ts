/** What the name of a service may be. */
export const serviceNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
