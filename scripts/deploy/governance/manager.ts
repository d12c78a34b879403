import { Interface } from 'ethers'
import { accessManagerAbi } from '#core/abi/AccessManager.ts'

/** Calls and events of the `AccessManager`. */
export const MANAGER: Interface = new Interface(accessManagerAbi)

/** How long an announced call can still be made once its time has come: one week, fixed in the `AccessManager`. */
export const EXPIRATION_S = 7 * 86_400
