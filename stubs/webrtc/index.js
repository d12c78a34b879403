const refuse = () => {
  throw new Error('WebRTC is not part of this build; see docs/decisions/0003-no-webrtc.md')
}

export const webRTC = refuse
export const webRTCDirect = refuse
