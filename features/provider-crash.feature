@process
Feature: Surviving the kill -9 of a provider
  Every node may vanish at any moment. A job finds another provider, and nothing is left behind: with bubblewrap, and
  on a node that does not have it. Of the two that are killed, one at least is such a node.

  Scenario: A job goes on when its provider is killed, and when the next one is
    Given the node processes:
      | node  | provides | bubblewrap      |
      | alice | no       |                 |
      | bob   | yes      | if there is one |
      | carol | yes      | absent          |
      | dave  | yes      | absent          |
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

  Scenario: A job that lost its only provider says so in the end
    Given the node processes:
      | node  | provides |
      | alice | no       |
      | bob   | yes      |
    And the script "work.py":
      """
      import time
      print('working', flush=True)
      time.sleep(60)
      """
    When "alice" posts a job that runs "work.py"
    And the job is running
    And the provider of the job is killed
    Then the job fails: "; then no other provider could be reached: 1 of the 1 known ones would fit."
