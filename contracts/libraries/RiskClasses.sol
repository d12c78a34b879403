// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title How much care a model's releases need
 * @dev Fixed here and not by its manufacturer: whoever stole its keys could loosen what it chose itself.
 */
library RiskClasses {
    /// @dev For trying things out: one signer, at once, to everybody. Not for devices that touch a person.
    uint8 internal constant TEST = 0;
    uint8 internal constant LOW = 1;
    uint8 internal constant MEDIUM = 2;
    uint8 internal constant HIGH = 3;

    /// @dev Of a release that closes a hole.
    uint8 internal constant SECURITY = 1;

    /// @dev Share of devices in the first stage at most, in hundredths of a per cent.
    function firstStageBps(uint8 class) internal pure returns (uint16) {
        if (class == TEST) return 10_000;
        if (class == LOW) return 2500;
        return class == MEDIUM ? 1000 : 500;
    }

    /// @dev Release signers that it takes at least, and root signers unless it is for a test.
    function minimumSigners(uint8 class) internal pure returns (uint8) {
        if (class == TEST) return 1;
        return class == HIGH ? 3 : 2;
    }

    /// @dev Time for somebody to object before a release starts, or starts again.
    function delay(uint8 class, uint8 kind) internal pure returns (uint40) {
        if (class == TEST) return 0;
        if (class == HIGH) return kind == SECURITY ? 2 hours : 48 hours;
        return kind == SECURITY ? 1 hours : 24 hours;
    }

    /// @dev Different devices whose word it takes to stop a release without a guard.
    function breakerDevices(uint8 class) internal pure returns (uint256) {
        return class == TEST ? 2 : 5;
    }

    /// @dev Share of the devices it was offered to that may fail, in hundredths of a per cent.
    function errorBudgetBps(uint8 class) internal pure returns (uint16) {
        return class == HIGH ? 50 : 200;
    }
}
