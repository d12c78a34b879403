/** Name of the file in a home folder that holds the token of the agent that runs there. */
export const TOKEN_FILE = 'token'

/** Name of the file that says where it listens. */
export const URL_FILE = 'url'
