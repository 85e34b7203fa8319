Feature: Searching and matching
  A posted job is asked for in the whole network. Every provider compares it with its own machine and answers
  with a bid, or with a no that says why; nobody is asked twice, and nobody waits without an end.

  Scenario: Every provider that fits makes a bid
    Given the nodes:
      | node  | provides |
      | alice | no       |
      | bob   | yes      |
      | carol | yes      |
      | dave  | yes      |
    When "alice" posts a job
    Then the job completes
    And these providers made a bid: "bob, carol, dave"

  Scenario Outline: A provider that does not fit says what is missing
    Given the nodes:
      | node  | provides | cpu | memory | price | label     |
      | alice | no       | 1   | 1GiB   |       |           |
      | bob   | yes      | 2   | 1GiB   | 0.50  | zone=east |
      | carol | yes      | 8   | 4GiB   | 0.01  | zone=west |
    When "alice" posts a job:
      """
      <job>
      """
    Then the job completes on "carol"
    And these providers made a bid: "carol"
    And "bob" declined with <code>: "<reason>"

    Examples:
      | job                                                                     | code                   | reason                                   |
      | resources: { cpu: 4 }                                                   | INSUFFICIENT_RESOURCES | cpu: 4000m asked, 2000m here.            |
      | resources: { memory: 2GiB }                                             | INSUFFICIENT_RESOURCES | memory: 2 GiB asked, 1 GiB here.         |
      | constraints: { hard: [{ key: label.zone, operator: In, values: [west] }] } | CONSTRAINT_UNMET    | label.zone: In west asked, east here.    |
      | budget: { maxPrice: "0.10" }                                            | PRICE                  | The price of this node is over the budget. |

  Scenario: With nobody there the job fails in time, and says so
    Given the nodes:
      | node  | provides |
      | alice | no       |
    When "alice" posts a job:
      """
      timeouts: { search: 400ms }
      """
    Then the job fails within 3000 ms: "No provider could be reached."

  Scenario: A job that nobody can take fails with everybody's reason
    Given the nodes:
      | node  | provides | cpu |
      | alice | no       | 1   |
      | bob   | yes      | 2   |
      | carol | yes      | 1   |
    When "alice" posts a job:
      """
      resources: { cpu: 64 }
      """
    Then the job fails: "No provider could take the job: 2 x INSUFFICIENT_RESOURCES (cpu)."

  Scenario: A provider that joins while the search is open gets the request
    Given the nodes:
      | node  | provides |
      | alice | no       |
    When "alice" posts a job:
      """
      timeouts: { search: 15s }
      """
    And the search is open
    And the provider "bob" joins the network
    Then the job completes on "bob"
    And 1 search was made

  Scenario: A queue timeout lets a job wait for a provider
    Given the nodes:
      | node  | provides |
      | alice | no       |
    When "alice" posts a job:
      """
      timeouts: { search: 200ms, queue: 30s }
      """
    And the job is queued: "No provider could be reached."
    And the provider "bob" joins the network
    Then the job completes on "bob"

  Scenario: An excluded provider is never used
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.01  |
      | carol | yes      | 0.90  |
    When "alice" posts a job:
      """
      excludedProviders: [$bob]
      prefer: price
      """
    Then the job completes on "carol"
    And these providers made a bid: "carol"
    And "bob" ran nothing

  Scenario: A node uses its own machine only when no other can
    Given the nodes:
      | node  | price | label      |
      | alice | 0.01  | at=home    |
      | bob   | 0.90  | at=away    |
    When "alice" posts a job:
      """
      prefer: price
      """
    Then the job completes on "bob"
    And these providers made a bid: "bob, alice"
    When "alice" posts a job:
      """
      constraints: { hard: [{ key: label.at, operator: In, values: [home] }] }
      """
    Then the job completes on "alice"

  Scenario: A node that is alone serves itself
    Given the nodes:
      | node  |
      | alice |
    When "alice" posts a job
    Then the job completes on "alice"
