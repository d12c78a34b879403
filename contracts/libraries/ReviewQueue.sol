// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title What awaits review, oldest first
 * @dev A linked list, because reviews come in any order while the question is how old the n-th oldest is. Whatever its
 * length, adding and removing touch a fixed number of slots, and asking reads one per step.
 */
library ReviewQueue {
    /**
     * @dev One slot:
     *
     *  255           128 127          96 95           64 63           32 31            0
     * +-----------------+---------------+---------------+---------------+---------------+
     * |     unused      |    length     |    issued     |    newest     |    oldest     |
     * +-----------------+---------------+---------------+---------------+---------------+
     */
    struct Queue {
        uint32 oldest;
        uint32 newest;
        uint32 issued;
        uint32 length;
        mapping(uint32 ticket => Place) places;
    }

    /**
     * @dev One slot. Tickets are counted from 1; 0 is none.
     *
     *  255           104 103            64 63           32 31            0
     * +-----------------+-----------------+---------------+---------------+
     * |     unused      |      since      |     newer     |     older     |
     * +-----------------+-----------------+---------------+---------------+
     */
    struct Place {
        uint32 older;
        uint32 newer;
        uint40 since;
    }

    /// @dev Adds one at the end. `since` never falls from call to call. O(1).
    function add(Queue storage queue, uint40 since) internal returns (uint32 ticket) {
        ticket = ++queue.issued;
        uint32 last = queue.newest;
        queue.places[ticket] = Place({older: last, newer: 0, since: since});
        if (last == 0) queue.oldest = ticket;
        else queue.places[last].newer = ticket;
        queue.newest = ticket;
        queue.length++;
    }

    /// @dev Takes one out that is in. O(1).
    function remove(Queue storage queue, uint32 ticket) internal {
        Place memory place = queue.places[ticket];
        if (place.older == 0) queue.oldest = place.newer;
        else queue.places[place.older].newer = place.newer;
        if (place.newer == 0) queue.newest = place.older;
        else queue.places[place.newer].older = place.older;
        delete queue.places[ticket];
        queue.length--;
    }

    /// @dev Whether at least `count` wait since `time` or longer. O(count).
    function hasWaiting(Queue storage queue, uint256 count, uint256 time) internal view returns (bool) {
        if (queue.length < count) return false;
        uint32 ticket = queue.oldest;
        for (uint256 i = 1; i < count; ++i) ticket = queue.places[ticket].newer;
        return queue.places[ticket].since <= time;
    }
}
