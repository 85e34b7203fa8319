Feature: Choosing the preferred node
  The bids are ranked by price, soft constraints met, load, time to start, fit, past behaviour and round trip; those of
  providers that the job names come first, and this node itself comes last. The order has reasons that a user can read,
  and the same bids always come out in the same order.

  Scenario: With price preferred the cheapest wins
    Given the nodes:
      | node  | provides | price | cpu |
      | alice | no       |       | 1   |
      | bob   | yes      | 0.09  | 64  |
      | carol | yes      | 0.02  | 1   |
      | dave  | yes      | 0.05  | 64  |
    When "alice" posts a job:
      """
      prefer: price
      """
    Then the job completes on "carol"
    And the bids are ranked: "carol, dave, bob"

  Scenario: A provider that the job names comes first, whatever its score
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.09  |
      | carol | yes      | 0.02  |
    When "alice" posts a job:
      """
      prefer: price
      preferredProviders: [$bob]
      """
    Then the job completes on "bob"
    And the bids are ranked: "bob, carol"
    And "preferred" of "bob" is 1000: "preferred by the job: comes before every other provider"
    And the explanation says that "bob" won, of "bob, carol", because "The job prefers it"

  Scenario: A job without GPUs leaves the last node that has some to others, while another fits
    Given the nodes:
      | node  | provides | price | gpus      |
      | alice | no       |       |           |
      | bob   | yes      | 0.01  | 1 x 16GiB |
      | carol | yes      | 0.90  |           |
    When "alice" posts a job:
      """
      prefer: price
      """
    Then the job completes on "carol"
    And the bids are ranked: "carol, bob"
    And "fit" of "bob" says "the last provider with free devices: comes after the others"
    When "alice" posts a job:
      """
      resources: { gpus: [{ count: 1 }] }
      """
    Then the job completes on "bob"
    When "alice" posts a job:
      """
      excludedProviders: [$carol]
      """
    Then the job completes on "bob"

  Scenario: A soft constraint decides between equals
    Given the nodes:
      | node  | provides | label     |
      | alice | no       |           |
      | bob   | yes      | zone=east |
      | carol | yes      | zone=west |
      | dave  | yes      | zone=east |
    When "alice" posts a job:
      """
      constraints: { soft: [{ key: label.zone, operator: In, values: [west], weight: 10 }] }
      """
    Then the job completes on "carol"
    And these providers made a bid: "bob, carol, dave"
    And "soft" of "carol" is 1000: "meets 1 of 1 soft constraints"
    And "soft" of "bob" is 0: "meets 0 of 1 soft constraints"

  Scenario: A soft constraint excludes nobody
    Given the nodes:
      | node  | provides | label     |
      | alice | no       |           |
      | bob   | yes      | zone=east |
    When "alice" posts a job:
      """
      constraints: { soft: [{ key: label.zone, operator: In, values: [west] }] }
      """
    Then the job completes on "bob"

  Scenario: Every rank is shown with its reason
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.04  |
      | carol | yes      | 0.02  |
    When "alice" posts a job:
      """
      prefer: price
      timeouts: { execution: 1h }
      """
    Then the job completes on "carol"
    And the bids are ranked: "carol, bob"
    And "price" of "carol" is 1000: "0.02 USD for the whole execution timeout, the cheapest"
    And "price" of "bob" is 500: "0.04 USD for the whole execution timeout, the cheapest is 0.02"
    And every bid has the ranks "behaviour, fit, load, price, roundTrip, soft, speed" and perhaps more, and its score follows from all of them
    And the bid of "carol" was selected, and that of "bob" was a candidate

  Scenario: The provider that has started programs sooner wins under prefer: speed
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.01  |
      | carol | yes      | 0.02  |
    And "bob" needs 1s to start a program
    When "alice" posts a job:
      """
      orchestrationType: push
      preferredProviders: [$bob]
      """
    Then the job completes on "bob"
    When "alice" posts a job:
      """
      orchestrationType: push
      preferredProviders: [$carol]
      """
    Then the job completes on "carol"
    When "alice" posts a job:
      """
      prefer: price
      """
    Then the job completes on "bob"
    When "alice" posts a job:
      """
      prefer: speed
      """
    Then the job completes on "carol"
    And the bids are ranked: "carol, bob"
    And "speed" of "bob" says "starts in about"
    And the explanation says that "carol" won, of "carol, bob", because "speed: starts in"

  Scenario: Equal bids take turns, whatever the order they came in
    Given the nodes:
      | node  | provides |
      | alice | no       |
      | bob   | yes      |
      | carol | yes      |
      | dave  | yes      |
    When "alice" posts 3 jobs one after the other:
      """
      prefer: { price: 1 }
      """
    Then the bids of every job stand in the order of its turns
