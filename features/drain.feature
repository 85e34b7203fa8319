Feature: Taking a node out of the market
  A drained node takes no new work and goes on with what it has. It says so to those who ask, and everybody else takes the
  jobs.

  Scenario: A drained provider declines and another takes the job, until it is undrained
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.01  |
      | carol | yes      | 0.90  |
    When "bob" is drained
    And "bob" is drained
    And "alice" posts a job:
      """
      prefer: price
      """
    Then the job completes on "carol"
    And "bob" declined with DRAINING: "This node takes no new work."
    When "bob" is undrained
    And "alice" posts a job:
      """
      prefer: price
      """
    Then the job completes on "bob"

  Scenario: What runs goes on
    Given the nodes:
      | node  | provides | work  |
      | alice | no       |       |
      | bob   | yes      | 500ms |
    When "alice" posts a job
    And the job is running
    And "bob" is drained
    Then the job completes on "bob"

  Scenario: A node that offers nothing cannot be drained
    Given the nodes:
      | node  | provides |
      | alice | no       |
    When "alice" is asked to drain
    Then the answer is 409 OFFERS_NOTHING
