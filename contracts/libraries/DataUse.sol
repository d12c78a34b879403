// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @dev For what the people in a release gave their data, a bit for each term of GA4GH's Data Use Ontology:
 *
 *  permission, exactly one      0 NRES   1 GRU   2 HMB   3 DS   4 POA
 *  limits                       5 NCU   6 NPU   7 NPUNCU   8 NMDS   9 NPOA
 *  duties                      10 IRB  11 PUB  12 COL  13 RTN  14 TS  15 MOR  16 GS  17 IS  18 PS  19 US  20 GSO  21 RS
 *  house terms                 22 no re-identification (always)   23 no linkage
 *  further permissions         24 rows may be public   25 CC
 */
type DataUse is uint32;

/**
 * @dev What a researcher asks for, in the same places: the kind of research (exactly one of bits 1 to 4), the duties and
 * house terms that are fulfilled or undertaken, and
 *
 *  26 methods   27 control set   28 commercial   29 clinical care
 *
 * What bits cannot say (which disease, which country, which institution) the stewards compare before they sign.
 */
type Purpose is uint32;

using DataUseLib for DataUse global;

/// @title Whether what is asked for lies within what was given
library DataUseLib {
    uint32 internal constant NRES = 1 << 0;
    uint32 internal constant GRU = 1 << 1;
    uint32 internal constant HMB = 1 << 2;
    uint32 internal constant DS = 1 << 3;
    uint32 internal constant POA = 1 << 4;
    uint32 internal constant NOT_COMMERCIAL = 7 << 5;
    uint32 internal constant NMDS = 1 << 8;
    uint32 internal constant NPOA = 1 << 9;
    uint32 internal constant DUTIES = 0xfff << 10;
    uint32 internal constant NO_REIDENTIFICATION = 1 << 22;
    uint32 internal constant NO_LINKAGE = 1 << 23;
    uint32 internal constant PUBLIC_ROWS = 1 << 24;
    uint32 internal constant CC = 1 << 25;
    uint32 internal constant METHODS = 1 << 26;
    uint32 internal constant CONTROL_SET = 1 << 27;
    uint32 internal constant COMMERCIAL = 1 << 28;
    uint32 internal constant CLINICAL_CARE = 1 << 29;

    uint32 private constant KINDS = GRU | HMB | DS | POA;
    uint32 private constant UNDERTAKINGS = DUTIES | NO_REIDENTIFICATION | NO_LINKAGE;
    uint32 private constant USE_TERMS = NRES | KINDS | NOT_COMMERCIAL | NMDS | NPOA | UNDERTAKINGS | PUBLIC_ROWS | CC;
    uint32 private constant PURPOSE_TERMS = KINDS | UNDERTAKINGS | METHODS | CONTROL_SET | COMMERCIAL | CLINICAL_CARE;

    /// @dev Whether it has one permission, only known terms, and forbids to find out who is who.
    function isWellFormed(DataUse use) internal pure returns (bool) {
        uint32 bits = DataUse.unwrap(use);
        return _isOne(bits & (NRES | KINDS)) && bits & ~USE_TERMS == 0 && bits & NO_REIDENTIFICATION != 0;
    }

    /// @dev Whether rows under these terms may be open to everybody.
    function allowsPublicRows(DataUse use) internal pure returns (bool) {
        return DataUse.unwrap(use) & PUBLIC_ROWS != 0;
    }

    /// @dev Whether all that is asked for was given. A further limit or duty never turns a no into a yes.
    function allows(DataUse use, Purpose purpose) internal pure returns (bool) {
        (uint32 given, uint32 asked) = (DataUse.unwrap(use), Purpose.unwrap(purpose));
        if (!isWellFormed(use) || !_isOne(asked & KINDS) || asked & ~PURPOSE_TERMS != 0) return false;
        if (given & UNDERTAKINGS & ~asked != 0) return false;
        return _coversKind(given, asked & KINDS) && _coversFlags(given, asked);
    }

    /// @dev General use covers every research; health use covers a disease; a disease covers itself and its kinds.
    function _coversKind(uint32 given, uint32 kind) private pure returns (bool) {
        if (kind == POA && given & NPOA != 0) return false;
        if (given & (NRES | GRU) != 0) return true;
        if (given & HMB != 0) return kind == HMB || kind == DS;
        return kind == given & KINDS;
    }

    function _coversFlags(uint32 given, uint32 asked) private pure returns (bool) {
        // Methods may be developed where that is not ruled out, or within the disease that was given.
        if (asked & METHODS != 0 && given & NMDS != 0 && given & DS == 0) return false;
        if (asked & CONTROL_SET != 0 && given & (NRES | GRU | HMB) == 0) return false;
        if (asked & COMMERCIAL != 0 && given & NOT_COMMERCIAL != 0) return false;
        return asked & CLINICAL_CARE == 0 || given & CC != 0;
    }

    function _isOne(uint32 bits) private pure returns (bool) {
        return bits != 0 && bits & (bits - 1) == 0;
    }
}
