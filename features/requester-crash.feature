@process
Feature: Surviving the kill -9 of a requester before it has a contract
  Every node may vanish at any moment. What was acknowledged goes on: a requester comes back to its jobs.
  test/simulation/requester-crash.test.ts does the same with every type of event, at the very moment at which it is
  durable.

  Scenario: Before it has a contract, its job finds a provider all the same
    Given the node processes:
      | node  | provides |
      | bob   | yes      |
      | alice | no       |
    Then a job that ends at once completes, although "alice" is killed at "job.posted"
    And a job that ends at once completes, although "alice" is killed at "search.opened"
    And a job that ends at once completes, although "alice" is killed at "bid.received"
    And a job that ends at once completes, although "alice" is killed at "search.closed"
    And a job that ends at once completes, although "alice" is killed at "provider.shortlisted"
    And a job that ends at once completes, although "alice" is killed at "lock.requested"
    And a job that ends at once completes, although "alice" is killed at "lock.acquired"
    And a job that ends at once completes, although "alice" is killed at "contract.proposed"
    And every provider has all of its capacity again

  Scenario: While its job is queued, the job waits on
    Given the node processes:
      | node  | provides |
      | bob   | yes      |
      | alice | no       |
    When "bob" is killed
    And "alice" posts a job that ends at once:
      """
      timeouts: { queue: 1m }
      """
    And "alice" is killed at "job.queued"
    And "alice" is started again
    And "bob" is started again
    Then the job completes
    And every provider has all of its capacity again
