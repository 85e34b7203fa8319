@process
Feature: Surviving the kill -9 of a requester
  Every node may vanish at any moment. What was promised on disk goes on: a requester comes back to its jobs and to its
  contracts, and nothing is done twice that was agreed on once. test/simulation/requester-crash.test.ts does the same
  with every type of event, at the very moment at which it is durable.

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

  Scenario: After the contract, that very contract goes on
    Given the node processes:
      | node  | provides |
      | bob   | yes      |
      | carol | yes      |
      | alice | no       |
    And the script "work.py":
      """
      import time
      print('worked', flush=True)
      time.sleep(1)
      """
    Then a job that runs "work.py" completes under the contract it had, and once, although "alice" is killed at "contract.accepted"
    And a job that runs "work.py" completes under the contract it had, and once, although "alice" is killed at "execution.started"
    And a job that runs "work.py" completes under the contract it had, and once, although "alice" is killed at "execution.publishing"
    And a job that runs "work.py" completes under the contract it had, and once, although "alice" is killed at "execution.completed"
    And a job that runs "work.py" completes under the contract it had, and once, although "alice" is killed at "job.completed"
    And every provider has all of its capacity again

  Scenario: When the work ends otherwise, the job comes to that end
    Given the node processes:
      | node  | provides |
      | bob   | yes      |
      | alice | no       |
    Then a job that executes unreachable fails once: trap, although "alice" is killed at "execution.failed"
    And a job that executes unreachable fails once: trap, although "alice" is killed at "job.failed"
    When "alice" posts a job that never ends
    And the job is running
    And the job is cancelled
    And "alice" is killed at "execution.cancelled"
    And "alice" is started again
    Then the job is stopped
    And the execution was cancelled
    And every provider has all of its capacity again
