Feature: Locks that end by themselves
  A lock is a lease. Whatever becomes of the requester that it is held for, the capacity comes back.

  Scenario: A lock whose requester has vanished ends by itself
    Given the nodes:
      | node  | provides | locks        | lock time |
      | alice | no       |              |           |
      | bob   | yes      | with the bid | 2500ms    |
    And a peer that hears every request and never answers
    When "alice" posts a job:
      """
      timeouts: { search: 20s }
      """
    And "bob" has made a bid
    And "alice" vanishes without a word
    Then "bob" holds a lock for the job
    And all of the capacity of "bob" is free again within 5000 ms

  Scenario: A lock is given back at once when its requester goes away
    Given the nodes:
      | node  | provides | locks        |
      | alice | no       |              |
      | bob   | yes      | with the bid |
    And a peer that hears every request and never answers
    When "alice" posts a job:
      """
      timeouts: { search: 20s }
      """
    And "bob" has made a bid
    Then "bob" holds a lock for the job
    When "alice" leaves the network
    Then all of the capacity of "bob" is free again within 2000 ms

  Scenario: A lock that has lapsed is worth nothing, and the next provider is taken
    Given the nodes:
      | node  | provides | price | locks        | lock time |
      | alice | no       |       |              |           |
      | bob   | yes      | 0.01  | with the bid | 500ms     |
      | carol | yes      | 0.90  |              |           |
    And a peer that hears every request and never answers
    When "alice" posts a job:
      """
      prefer: price
      timeouts: { search: 20s }
      """
    And "bob, carol" have made a bid
    Then all of the capacity of "bob" is free again within 4000 ms
    When the peer that never answers leaves
    Then the job completes on "carol"
    And "bob" ran nothing
