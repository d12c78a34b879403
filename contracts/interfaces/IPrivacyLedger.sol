// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedRequests} from "./ISignedRequests.sol";

/**
 * @title What answers about a data set have cost in privacy, and how much they may
 * @notice A question's price is booked before it is answered, in millionths of epsilon. Caps hold for a year of 365
 * days, counted since 1970. Nothing is ever given back, and no answer goes unbooked if stewards ask {bookedFor} first.
 * A fifth of a data set's cap is kept for regulators.
 */
interface IPrivacyLedger is ISignedRequests {
    /// @notice A data set has other caps.
    /// @param dataset its id
    /// @param cap of all its answers in a year, in millionths of epsilon
    /// @param researcherCap of the answers to one researcher in a year
    event CapSet(bytes32 indexed dataset, uint48 cap, uint48 researcherCap);

    /// @notice Somebody may draw on the part that is kept for regulators, or may no longer.
    /// @param researcher id of its signer
    /// @param isRegulator whether it may
    event RegulatorSet(address indexed researcher, bool isRegulator);

    /// @notice The price of a question is booked.
    /// @param dataset its id
    /// @param sequence number of the booking for this data set, from 1
    /// @param researcher who asks
    /// @param query keccak-256 of the question behind the data set's secret salt
    /// @param microEpsilon price, in millionths of epsilon
    event Spent(
        bytes32 indexed dataset,
        uint32 indexed sequence,
        address indexed researcher,
        bytes32 query,
        uint48 microEpsilon
    );

    /// @notice A researcher's cap is more than the data set's.
    error CapsMalformed();

    /// @notice A cap cannot be lowered below what was spent this year.
    /// @param spent this year, in millionths of epsilon
    /// @param cap as given
    error CapBelowSpent(uint48 spent, uint48 cap);

    /// @notice Too little is left of the data set's cap this year.
    /// @param left in millionths of epsilon, to this researcher
    /// @param asked price of the question
    error BudgetExceeded(uint48 left, uint48 asked);

    /// @notice Too little is left of the researcher's cap for this data set this year.
    /// @param left in millionths of epsilon
    /// @param asked price of the question
    error ResearcherBudgetExceeded(uint48 left, uint48 asked);

    /// @notice Bookings of a data set come in an unbroken sequence.
    /// @param expected the only number accepted now
    /// @param actual as given
    error SpendingOutOfSequence(uint32 expected, uint32 actual);

    /// @notice The question was booked before: its answer exists and costs nothing again.
    /// @param query the question
    error QueryAlreadyBooked(bytes32 query);

    /// @notice A booking names a question, a researcher and a price above zero.
    error SpendingMalformed();

    /// @notice The signer does not keep this ledger, or not without delay.
    /// @param id of the signer
    error LedgerKeeperUnknown(address id);

    /// @notice Sets a data set's caps. For governance alone, after its delay.
    /// @param dataset its id
    /// @param cap of all its answers in a year, in millionths of epsilon
    /// @param researcherCap of the answers to one researcher in a year; one who has spent more spends nothing more
    function setCap(bytes32 dataset, uint48 cap, uint48 researcherCap) external;

    /// @notice Says who may draw on the part that is kept for regulators. For governance alone, after its delay.
    /// @param researcher id of its signer
    /// @param mayDraw whether it may
    function setRegulator(address researcher, bool mayDraw) external;

    /// @notice Books the price of a question, before it is answered. For the ledger's keepers alone.
    /// @param dataset its id
    /// @param researcher who asks: id of its signer
    /// @param query keccak-256 of the question behind the data set's secret salt
    /// @param microEpsilon price, in millionths of epsilon
    /// @param sequence one more than the data set's last, 1 for the first
    function spend(bytes32 dataset, address researcher, bytes32 query, uint48 microEpsilon, uint32 sequence) external;

    /// @notice The same by a keeper's signature. Signed:
    /// `PrivacySpending(bytes32 dataset,address researcher,bytes32 query,uint48 microEpsilon,uint32 sequence,uint256 deadline)`.
    /// @param dataset its id
    /// @param researcher who asks: id of its signer
    /// @param query keccak-256 of the question behind the data set's secret salt
    /// @param microEpsilon price, in millionths of epsilon
    /// @param sequence one more than the data set's last, 1 for the first
    /// @param deadline last moment to submit, in seconds since 1970, at most 30 days ahead
    /// @param signer whose id may call {spend}, in the form of ERC-7913
    /// @param signature of `signer`
    function spendSigned(
        bytes32 dataset,
        address researcher,
        bytes32 query,
        uint48 microEpsilon,
        uint32 sequence,
        uint256 deadline,
        bytes calldata signer,
        bytes calldata signature
    ) external;

    /// @notice Where a data set stands this year.
    /// @param dataset its id
    /// @return cap in millionths of epsilon; 0 if it may answer nothing
    /// @return researcherCap of one researcher
    /// @return spent this year
    /// @return sequence number of its last booking
    /// @return total spent in all years
    function budgetOf(
        bytes32 dataset
    ) external view returns (uint48 cap, uint48 researcherCap, uint48 spent, uint32 sequence, uint64 total);

    /// @notice What a researcher has spent on a data set.
    /// @param dataset its id
    /// @param researcher id of its signer
    /// @return spent this year, in millionths of epsilon
    /// @return total in all years
    function spentBy(bytes32 dataset, address researcher) external view returns (uint48 spent, uint64 total);

    /// @notice What was booked for a question. Whoever answers MUST ask this first.
    /// @param dataset its id
    /// @param query keccak-256 of the question behind the data set's secret salt
    /// @return price in millionths of epsilon; 0 if it was not booked
    function bookedFor(bytes32 dataset, bytes32 query) external view returns (uint48);

    /// @notice Whether somebody may draw on the part that is kept for regulators.
    /// @param researcher id of its signer
    /// @return whether it may
    function isRegulator(address researcher) external view returns (bool);
}
