Feature: Why a job is where it is
  For a job that was placed a user sees every bid with its ranks, and why the winner won; for one that was not, how many
  said no and why, and the smallest change that would have helped.

  Scenario: A placed job: why the winner won
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
    And the explanation says that "carol" won, of "carol, bob", because "price: 0.02 USD"

  Scenario: An unplaced job: what came nearest
    Given the nodes:
      | node  | provides | gpus      |
      | alice | no       |           |
      | bob   | yes      | 1 x 8GiB  |
      | carol | yes      | 1 x 16GiB |
      | dave  | yes      | 2 x 16GiB |
    And "alice" knows the adverts of "bob, carol, dave"
    When "alice" posts a job:
      """
      resources: { gpus: [{ count: 1, vram: 24GiB }] }
      """
    Then the job fails: "3 x INSUFFICIENT_RESOURCES (gpu.vram)"
    And the explanation counts 3 x INSUFFICIENT_RESOURCES because of gpu.vram
    And the nearest miss is "gpu.vram": "24 GiB" asked, "16 GiB" on 2 providers

  Scenario Outline: An unplaced job: what keeps the only GPU out, whoever has none
    Given the nodes:
      | node  | provides | nvidia-smi prints |
      | alice | no       |                   |
      | bob   | yes      | nvidia-single.csv |
      | carol | yes      |                   |
      | dave  | yes      |                   |
    And "alice" knows the adverts of "bob, carol, dave"
    When "alice" posts a job:
      """
      resources: { gpus: [{ <asked> }] }
      """
    Then the job fails: "INSUFFICIENT_RESOURCES (<field>)"
    And the nearest miss is "<field>": "<required>" asked, "<best>" on 1 provider

    Examples:
      | asked                             | field                 | required | best    |
      | vram: 24GiB                       | gpu.vram              | 24 GiB   | 7.8 GiB |
      | vram: 8GiB                        | gpu.vram              | 8 GiB    | 7.8 GiB |
      | vendor: amd                       | gpu.vendor            | amd      | nvidia  |
      | vram: 4GiB, computeCapability: ^8 | gpu.computeCapability | ^8       | 7.5     |
      | count: 2                          | gpu.count             | 2        | 1       |

  Scenario: An unplaced job: the providers that would fit are excluded
    Given the nodes:
      | node  | provides | cpu |
      | alice | no       | 1   |
      | bob   | yes      | 4   |
      | carol | yes      | 1   |
    And "alice" knows the adverts of "bob, carol"
    When "alice" posts a job:
      """
      resources: { cpu: 2 }
      excludedProviders: [$bob, $carol]
      timeouts: { search: 1s }
      """
    Then the job fails: "2 providers are left out by excludedProviders."
    And the explanation suggests "excludedProviders: 1 known provider that would fit is excluded by the job. Take $bob off."

  Scenario: A no for good is not asked for again, and still counts
    Given the nodes:
      | node  | provides | cpu |
      | alice | no       | 1   |
      | bob   | yes      | 4   |
    When "alice" posts a job:
      """
      resources: { cpu: 16 }
      timeouts: { search: 30s, queue: 6s }
      """
    Then the job fails: "No provider could take the job: 1 x INSUFFICIENT_RESOURCES (cpu)."
    And 2 searches were made
    And the explanation counts 1 x INSUFFICIENT_RESOURCES because of cpu

  Scenario: An unplaced job: the price that would have done
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.09  |
      | carol | yes      | 0.05  |
    When "alice" posts a job:
      """
      budget: { maxPrice: "0.02" }
      timeouts: { execution: 1h }
      """
    Then the job fails: "2 x PRICE (budget.maxPrice)"
    And the explanation counts 2 x PRICE because of budget.maxPrice
    And the explanation suggests "budget.maxPrice: at least 0.05 USD per hour, or leave the budget out; 0.02 USD per hour asked."
    When "alice" posts a job:
      """
      budget: { maxPrice: "0.05" }
      timeouts: { execution: 1h }
      """
    Then the job completes on "carol"

  Scenario: An unplaced job: no price in the currency of the budget
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.02  |
    When "alice" posts a job:
      """
      budget: { maxPrice: "1.00", currency: EUR }
      """
    Then the job fails: "1 x PRICE (budget.currency)"
    And the explanation suggests "budget.currency: EUR asked, providers ask USD."
