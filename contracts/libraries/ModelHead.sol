// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev Where a model stands, in the one word that a device proves first:
 *
 *  255   248 247     232 231        192 191      176 175        160 159   128 127   96 95   64 63   32 31    0
 * +---------+-----------+--------------+------------+--------------+---------+--------+-------+-------+-------+
 * |  flags  |  slotMiB  |  publishedAt |  rollout   | keysetVersion|  floor  | minimum| staged| active| latest|
 * +---------+-----------+--------------+------------+--------------+---------+--------+-------+-------+-------+
 *
 * `latest`, `active`, `staged` and `minimum` are numbers of releases, 0 for none; `rollout` is the share of devices that
 * the staged release is for, in hundredths of a per cent; `keysetVersion` is that of the newest release. Flags: bits 0-1
 * the risk class, bit 6 sunset, bit 7 always set, so that 0 is a model nobody registered.
 */
type ModelHead is uint256;

using ModelHeadLib for ModelHead global;

/// @title Reading and changing packed {ModelHead}
library ModelHeadLib {
    uint256 private constant REGISTERED = uint256(1) << 255;
    uint256 private constant SUNSET = uint256(1) << 254;

    /// @dev The head of a model that has no release yet.
    function create(uint8 class, uint16 mebibytes) internal pure returns (ModelHead) {
        return ModelHead.wrap(REGISTERED | (uint256(class) << 248) | (uint256(mebibytes) << 232));
    }

    function isRegistered(ModelHead head) internal pure returns (bool) {
        return ModelHead.unwrap(head) != 0;
    }

    function isSunset(ModelHead head) internal pure returns (bool) {
        return ModelHead.unwrap(head) & SUNSET != 0;
    }

    function riskClass(ModelHead head) internal pure returns (uint8) {
        return uint8(ModelHead.unwrap(head) >> 248) & 3;
    }

    function latest(ModelHead head) internal pure returns (uint32) {
        return uint32(ModelHead.unwrap(head));
    }

    function active(ModelHead head) internal pure returns (uint32) {
        return uint32(ModelHead.unwrap(head) >> 32);
    }

    function staged(ModelHead head) internal pure returns (uint32) {
        return uint32(ModelHead.unwrap(head) >> 64);
    }

    function minimum(ModelHead head) internal pure returns (uint32) {
        return uint32(ModelHead.unwrap(head) >> 96);
    }

    function securityFloor(ModelHead head) internal pure returns (uint32) {
        return uint32(ModelHead.unwrap(head) >> 128);
    }

    function keysetVersion(ModelHead head) internal pure returns (uint16) {
        return uint16(ModelHead.unwrap(head) >> 160);
    }

    function rolloutBps(ModelHead head) internal pure returns (uint16) {
        return uint16(ModelHead.unwrap(head) >> 176);
    }

    function publishedAt(ModelHead head) internal pure returns (uint40) {
        return uint40(ModelHead.unwrap(head) >> 192);
    }

    function slotMiB(ModelHead head) internal pure returns (uint16) {
        return uint16(ModelHead.unwrap(head) >> 232);
    }

    /// @dev After one more release, which takes effect for nobody yet.
    function withPublished(
        ModelHead head,
        uint32 counter,
        uint16 version,
        uint256 time
    ) internal pure returns (ModelHead) {
        uint256 cleared =
            ModelHead.unwrap(head) & ~((uint256(type(uint48).max) << 128) | (uint256(type(uint40).max) << 192));
        uint256 set = (uint256(counter) << 128) | (uint256(version) << 160) | (uint256(uint40(time)) << 192);
        // The caller has checked that there is a next number.
        return ModelHead.wrap((cleared | set) + 1);
    }

    function withActive(ModelHead head, uint32 sequence) internal pure returns (ModelHead) {
        return
            ModelHead.wrap((ModelHead.unwrap(head) & ~(uint256(type(uint32).max) << 32)) | (uint256(sequence) << 32));
    }

    /// @dev With a release offered to a share of the devices; 0 and 0 for none.
    function withStaged(ModelHead head, uint32 sequence, uint16 bps) internal pure returns (ModelHead) {
        uint256 cleared =
            ModelHead.unwrap(head) & ~((uint256(type(uint32).max) << 64) | (uint256(type(uint16).max) << 176));
        return ModelHead.wrap(cleared | (uint256(sequence) << 64) | (uint256(bps) << 176));
    }

    function withMinimum(ModelHead head, uint32 sequence) internal pure returns (ModelHead) {
        return
            ModelHead.wrap((ModelHead.unwrap(head) & ~(uint256(type(uint32).max) << 96)) | (uint256(sequence) << 96));
    }

    function withSunset(ModelHead head) internal pure returns (ModelHead) {
        return ModelHead.wrap(ModelHead.unwrap(head) | SUNSET);
    }
}
