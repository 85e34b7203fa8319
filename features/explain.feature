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
    And the explanation suggests "0.05 USD"
    When "alice" posts a job:
      """
      budget: { maxPrice: "0.05" }
      timeouts: { execution: 1h }
      """
    Then the job completes on "carol"
