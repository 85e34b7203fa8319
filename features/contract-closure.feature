Feature: Closing the contract
  Requester and provider sign the very same bytes. Each of them keeps the contract with both signatures,
  and either can prove it alone.

  Background:
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.01  |
      | carol | yes      | 0.90  |

  Scenario: Both sides keep the same terms with two valid signatures
    When "alice" posts a job
    Then the job completes on "bob"
    And both sides of the contract keep the same terms and the same two signatures
    And both signatures of the contract are valid, over its terms on this network
    And the contract is shown with its terms and both signatures

  Scenario: The contract is named by what it says
    When "alice" posts a job
    Then the job completes on "bob"
    And the id of the contract is the content id of its terms
    And the contract names the job, both sides, the price of "bob" and the resources asked for

  Scenario: The contract comes to its end on both sides
    When "alice" posts a job
    Then the job completes
    And the contract becomes COMPLETED on both sides

  Scenario: Terms that were altered on their way are refused
    Given the terms that come to "bob" are altered on their way
    When "alice" posts a job:
      """
      prefer: price
      """
    Then the job completes on "carol"
    And the contract with "bob" was declined
    And "bob" ran nothing

  Scenario: A requester cannot propose another price than was bid
    Given the terms that come to "bob" name half of its price, signed by "alice"
    When "alice" posts a job:
      """
      prefer: price
      """
    Then the job completes on "carol"
    And the contract with "bob" was declined with INVALID: "The price is not the one that was bid."
    And "bob" ran nothing
