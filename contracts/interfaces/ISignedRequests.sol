// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title What every contract of Salus shares: requests signed off chain, submitted by anybody
 * @notice A person signs an EIP-712 struct; any relayer submits it and pays the gas. The signature fixes every field,
 * so the outcome is the same whoever submits. A signer is given in the form of ERC-7913: 20 bytes are an account or an
 * ERC-1271 wallet, more are a verifier's address followed by the key it understands (P-256, passkey).
 */
interface ISignedRequests {
    /// @notice The request's time to be submitted has passed.
    /// @param deadline last moment, in seconds since 1970
    error RequestExpired(uint256 deadline);

    /// @notice The request could be submitted for longer than 30 days; sign it with a nearer deadline.
    /// @param deadline last moment, in seconds since 1970
    error RequestDeadlineTooFar(uint256 deadline);

    /// @notice The signature is not by the required signer over exactly this request, on this chain and contract.
    error RequestSignatureInvalid();

    /// @notice The signer that was given is not the one who may ask for this.
    /// @param id of the one who may: its address, or the last 20 bytes of the keccak-256 of a longer signer
    error SignerNotTheOne(address id);

    /// @notice Not an ERC-7913 signer: shorter than 20 bytes, longer than 1024, or the zero address.
    /// @param signer the bytes that were given
    error SignerMalformed(bytes signer);
}
