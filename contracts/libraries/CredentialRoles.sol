// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title The roles that contracts decide on
 * @dev The whole list is in docs/specs/contracts-credentials.md. A mask of roles has the bit `1 << role`; roles of 32 and
 * more fit into none.
 */
library CredentialRoles {
    uint16 internal constant PHYSICIAN = 1;
    uint16 internal constant NURSE = 2;
    uint16 internal constant PARAMEDIC = 3;
    uint16 internal constant REVIEWER = 19;

    /// @dev Whether the mask holds the role.
    function isIn(uint16 role, uint32 mask) internal pure returns (bool) {
        return role < 32 && (mask >> role) & 1 == 1;
    }
}
