@process
Feature: Surviving kill -9
  Every node may vanish at any moment. What was promised on disk goes on: a job finds another provider, a requester
  comes back to its contracts, nothing is done twice that was agreed on once, and nothing is left behind.

  Scenario: A job goes on when its provider is killed, and when the next one is
    Given the node processes:
      | node  | provides |
      | alice | no       |
      | bob   | yes      |
      | carol | yes      |
      | dave  | yes      |
    And the script "work.py":
      """
      import time
      print('working', flush=True)
      time.sleep(2)
      """
    When "alice" posts a job that runs "work.py"
    And the job is running
    And the provider of the job is killed
    Then no process of the job is left after 2 seconds
    And the job runs on another provider within 15 seconds
    When the provider of the job is killed
    Then no process of the job is left after 2 seconds
    And the job runs on another provider within 15 seconds
    And the job completes
    When the killed providers are started again
    Then every provider has all of its capacity again

  Scenario: A requester that is killed before it has a contract finds a provider all the same
    Given the node processes:
      | node  | provides |
      | bob   | yes      |
      | alice | no       |
    When "alice" posts a job that ends at once, and is killed at "job.posted"
    And "alice" is started again
    Then the job completes
    When "alice" posts a job that ends at once, and is killed at "search.opened"
    And "alice" is started again
    Then the job completes
    When "alice" posts a job that ends at once, and is killed at "bid.received"
    And "alice" is started again
    Then the job completes
    When "alice" posts a job that ends at once, and is killed at "lock.acquired"
    And "alice" is started again
    Then the job completes
    When "alice" posts a job that ends at once, and is killed at "contract.proposed"
    And "alice" is started again
    Then the job completes
    And every provider has all of its capacity again

  Scenario: A requester that is killed after the contract goes on with that very contract
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
    When "alice" posts a job that runs "work.py", and is killed at "contract.accepted"
    And "alice" is started again
    Then the job completes
    And the contract is still the one it had, and the work was done once
    When "alice" posts a job that runs "work.py", and is killed at "execution.started"
    And "alice" is started again
    Then the job completes
    And the contract is still the one it had, and the work was done once
    When "alice" posts a job that runs "work.py", and is killed at "execution.publishing"
    And "alice" is started again
    Then the job completes
    And the contract is still the one it had, and the work was done once
    And every provider has all of its capacity again
