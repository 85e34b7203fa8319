@process
Feature: Surviving the kill -9 of a requester that has a contract
  A requester comes back to its contracts, and nothing is done twice that was agreed on once.

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
