Feature: The last GPU
  GPUs are held as single devices. Whoever comes too late is told so, and when to try again.

  Scenario: Two requesters race for the last GPU, and exactly one gets it
    Given the nodes:
      | node  | provides | gpus      | work  |
      | alice | no       |           |       |
      | erin  | no       |           |       |
      | bob   | yes      | 1 x 16GiB | 1s    |
    And a peer that hears every request and never answers
    When "alice" and "erin" post a job at once:
      """
      resources: { gpus: [{ count: 1, vram: 8GiB }] }
      timeouts: { search: 20s, queue: 0s }
      """
    And "bob" has made a bid for both jobs
    And the peer that never answers leaves
    Then one of the jobs completes on "bob", and the other fails after a no that names a time to try again
    And one of the jobs was refused the lock of "bob" with INSUFFICIENT_RESOURCES, because of:
      | field     | required | available |
      | gpu.count | 1        | 0         |
    And "bob" never ran two jobs at once

  Scenario: Two executions on one machine get a device each
    Given the nodes:
      | node  | provides | gpus      | work |
      | alice | no       |           |      |
      | bob   | yes      | 2 x 16GiB | 10m  |
    When "alice" posts a job:
      """
      count: 2
      resources: { gpus: [{ count: 1, vendor: nvidia }] }
      """
    Then "bob" gives 2 devices to 2 executions, each to one alone
    When the job of "alice" is cancelled
    Then the job is stopped
