export declare const webRTC: () => never
export declare const webRTCDirect: () => never
