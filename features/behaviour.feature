Feature: How others behave
  Whoever posts jobs remembers what providers did with them, and whoever answers may not answer anyhow. What is held
  against a provider, and what was refused of it, is there to be read.

  Scenario: A provider that lost its work comes behind an equal one the next time
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.02  |
      | carol | yes      | 0.02  |
    And "bob" loses whatever it works on
    When "alice" posts a job:
      """
      orchestrationType: push
      preferredProviders: [$bob]
      retry: { attempts: 1 }
      """
    Then the job fails: "(internal)"
    Given "bob" does its work again
    When "alice" posts a job
    Then the job completes on "carol"
    And the bids are ranked: "carol, bob"
    And "behaviour" of "carol" is 1000: "no strikes"
    And "behaviour" of "bob" says "strikes: lost-execution 1"
    And the explanation says that "carol" won, of "carol, bob", because "behaviour: no strikes"
    And the explanation shows the strikes "lost-execution 1" of "bob"

  Scenario Outline: A bid that may not be used is refused with a reason, and on record
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.01  |
      | carol | yes      | 0.90  |
    And the bids of "bob" say, signed by it, <field>: "<value>"
    When "alice" posts a job:
      """
      prefer: price
      budget: { maxPrice: "1.00" }
      """
    Then the job completes on "carol"
    And these providers made a bid: "carol"
    And the bid of "bob" was refused with <code>, and nothing more came of it
    And the explanation counts:
      | code   | field | count |
      | <code> |       | 1     |

    Examples:
      | field        | value    | code          |
      | price.amount | -0.01    | INVALID_PRICE |
      | price.amount | nothing  | INVALID_PRICE |
      | price.amount | 1.01     | OVER_BUDGET   |
      | jobId        | another  | WRONG_JOB     |
      | validForMs   | 0        | BID_EXPIRED   |
