Feature: Asking chosen providers
  By push a job is not told to everybody: the providers that its user prefers, or the best of the peer table, are asked
  directly and alone. The table may be old, so each of them still says what it has now, and may decline.

  Scenario: Only the best of the peer table are asked, or those that the user prefers
    Given the nodes:
      | node  | provides | price | wants |
      | alice | no       |       | 1     |
      | bob   | yes      | 0.01  |       |
      | carol | yes      | 0.02  |       |
      | dave  | yes      | 0.90  |       |
    And "alice" knows the adverts of "bob, carol, dave"
    When "alice" posts a job:
      """
      orchestrationType: push
      budget: { maxPrice: "1.00" }
      """
    Then the job completes
    And "bob, carol" were asked, and nobody else
    When "alice" posts a job:
      """
      orchestrationType: push
      preferredProviders: [$dave]
      """
    Then the job completes on "dave"
    And "dave" was asked, and nobody else
    When "alice" posts a job:
      """
      orchestrationType: push
      excludedProviders: [$bob, $dave]
      """
    Then the job completes on "carol"
    And "carol" was asked, and nobody else

  Scenario: A provider that is better by an old advert declines, and the next one is taken
    Given the nodes:
      | node  | provides | price | cpu | work |
      | alice | no       |       | 1   |      |
      | erin  | no       |       | 1   |      |
      | bob   | yes      | 0.01  | 4   | 10m  |
      | carol | yes      | 0.90  | 4   |      |
    And "alice" knows the adverts of "bob, carol"
    And the adverts of "bob" reach nobody any more
    When "erin" posts a job:
      """
      orchestrationType: push
      preferredProviders: [$bob]
      resources: { cpu: 4 }
      """
    And the job is running
    And "alice" posts a job:
      """
      orchestrationType: push
      prefer: price
      resources: { cpu: 4 }
      """
    Then the job completes on "carol"
    And "bob, carol" were asked, and nobody else
    And "bob" declined with INSUFFICIENT_RESOURCES: "cpu: 4000m asked, 0m here."
    And 1 search was made
    When the job of "erin" is cancelled

  Scenario: When every preferred provider says no for good, a second round asks nobody and the job fails with all of it
    Given the nodes:
      | node  | provides | price | cpu |
      | alice | no       |       | 1   |
      | bob   | yes      | 0.01  | 1   |
      | carol | yes      | 0.02  | 2   |
      | dave  | yes      | 0.03  | 8   |
      | erin  | yes      | 0.04  | 8   |
    And the terms that come to "dave" name half of its price, signed by "alice"
    When "alice" posts a job:
      """
      orchestrationType: push
      preferredProviders: [$bob, $carol, $dave]
      resources: { cpu: 4 }
      """
    Then the job fails: "2 x INSUFFICIENT_RESOURCES (cpu), 1 x INVALID: The price is not the one that was bid"
    And 2 searches were made
    And "bob, carol, dave" were asked, and nobody else
    And "erin" ran nothing
    And the explanation counts:
      | code                   | field | count |
      | INSUFFICIENT_RESOURCES | cpu   | 2     |

  Scenario: When no preferred provider can be reached the job fails at once, and not at the end of its window
    Given the nodes:
      | node  | provides |
      | alice | no       |
      | erin  | no       |
      | bob   | yes      |
    When "alice" posts a job:
      """
      orchestrationType: push
      preferredProviders: [$erin]
      timeouts: { search: 25s }
      """
    Then the job fails within 5000 ms: "No provider gave an answer: the job asks only $erin."
    And the explanation suggests "preferredProviders: no answer from $erin."
    And "bob" ran nothing

  Scenario Outline: A preferred provider that nobody knows is named, and holds nothing up
    Given the nodes:
      | node  | provides |
      | alice | no       |
    When "alice" posts a job:
      """
      orchestrationType: <way>
      preferredProviders: [12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp]
      timeouts: { search: 2s }
      """
    Then the job fails within 5000 ms: "<reason>"
    And the explanation suggests "preferredProviders: no answer from 12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp."

    Examples:
      | way  | reason                                            |
      | push | No provider gave an answer: the job asks only 12D |
      | pull | No provider could be reached                      |
