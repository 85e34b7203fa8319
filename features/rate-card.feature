Feature: A price for what is taken
  A provider may ask by cores, memory, disk and devices, so that eight devices do not cost what a script costs. The sum is
  the price of its bid; how it came about stands in the bid and in the terms that both sides sign.

  Background:
    Given the nodes:
      | node  | provides | gpus      | rates                                     |
      | alice | no       |           |                                           |
      | bob   | yes      | 2 x 16GiB | base 0.10, cpuHour 0.20, gpuHour.T4 1.50  |

  Scenario: The contract says what each part of the price is for
    When "alice" posts a job:
      """
      resources: { cpu: 500m, gpus: [{ count: 2 }] }
      """
    Then the job completes on "bob"
    And the contract is over 3.2 USD an hour: "base 0.1, cpu 0.1, gpu 3"

  Scenario: Without devices it is a tenth of that and less
    When "alice" posts a job:
      """
      resources: { cpu: 500m }
      """
    Then the job completes on "bob"
    And the contract is over 0.2 USD an hour: "base 0.1, cpu 0.1"

  Scenario: A budget is held against what the job would cost
    Given "alice" knows the adverts of "bob"
    When "alice" posts a job:
      """
      resources: { cpu: 500m, gpus: [{ count: 2 }] }
      budget: { maxPrice: "1" }
      timeouts: { execution: 1h }
      """
    Then the job fails: "1 x PRICE (budget.maxPrice)"
    And the explanation suggests "budget.maxPrice: at least 3.2 USD per hour, or leave the budget out; 1 USD per hour asked."
