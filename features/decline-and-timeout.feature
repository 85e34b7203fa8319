Feature: Going on after a no
  A provider that won the ranking may still say no when it is asked to hold capacity, or say nothing at all. Both are
  written down with their reason, and the next provider is asked.

  Scenario: After a no the next provider is asked
    Given the nodes:
      | node  | provides | price | cpu | work |
      | alice | no       |       | 1   |      |
      | erin  | no       |       | 1   |      |
      | bob   | yes      | 0.01  | 1   | 10m  |
      | carol | yes      | 0.90  | 1   |      |
    And a peer that hears every request and never answers
    When "alice" posts a job:
      """
      prefer: price
      resources: { cpu: 1 }
      timeouts: { search: 20s }
      """
    And "bob, carol" have made a bid
    And "erin" posts a job:
      """
      orchestrationType: push
      preferredProviders: [$bob]
      resources: { cpu: 1 }
      """
    And the job is running
    And the peer that never answers leaves
    And the job of "alice" is looked at
    Then the job completes on "carol"
    And these events came in this order:
      | event             | provider |
      | lock.requested    | bob      |
      | lock.declined     | bob      |
      | lock.requested    | carol    |
      | lock.acquired     | carol    |
      | contract.accepted | carol    |
    And 1 search was made
    When the job of "erin" is cancelled

  Scenario: After silence the next provider is asked, and after that the one behind it
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.01  |
      | carol | yes      | 0.10  |
      | dave  | yes      | 0.90  |
    And a peer that hears every request and never answers
    When "alice" posts a job:
      """
      prefer: { price: 1 }
      timeouts: { search: 20s, lock: 700ms }
      """
    And "bob, carol, dave" have made a bid
    And "bob" falls silent
    And "carol" falls silent
    And the peer that never answers leaves
    Then the job completes on "dave"
    And these events came in this order:
      | event             | provider |
      | lock.requested    | bob      |
      | lock.timeout      | bob      |
      | lock.requested    | carol    |
      | lock.timeout      | carol    |
      | lock.requested    | dave     |
      | contract.accepted | dave     |
    And the bid of "bob" timed out
    And the bid of "carol" timed out
    And 1 search was made
