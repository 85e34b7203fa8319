Feature: The job request
  The shortlisted provider is asked to hold capacity for the job. It locks what the job needs or says no with a reason;
  silence counts as a no, and the next provider is asked. Whatever happens, capacity is held by one job at a time
  and comes back.

  Scenario: The winner is asked for a lock before the contract
    Given the nodes:
      | node  | provides |
      | alice | no       |
      | bob   | yes      |
    When "alice" posts a job
    Then the job completes on "bob"
    And these events came in this order:
      | event             |
      | job.posted        |
      | search.opened     |
      | bid.received      |
      | search.closed     |
      | lock.requested    |
      | lock.acquired     |
      | contract.proposed |
      | contract.accepted |
      | execution.started |
      | job.completed     |

  Scenario: A running job holds what it asked for, and no more
    Given the nodes:
      | node  | provides | cpu | work |
      | alice | no       | 1   |      |
      | bob   | yes      | 4   | 10m  |
    When "alice" posts a job:
      """
      resources: { cpu: 1500m, memory: 1GiB }
      """
    And the job is running
    Then "bob" has allocated 1500 thousandths of a core and 1 GiB to the job
    When the job is cancelled
    Then the job is stopped

  Scenario: Two jobs race for the last capacity, and the loser goes to the next provider
    Given the nodes:
      | node  | provides | price | cpu | work  |
      | alice | no       |       | 1   |       |
      | erin  | no       |       | 1   |       |
      | bob   | yes      | 0.01  | 1   | 2s    |
      | carol | yes      | 0.90  | 1   | 2s    |
    And a peer that hears every request and never answers
    When "alice" and "erin" post a job at once:
      """
      resources: { cpu: 1 }
      prefer: price
      timeouts: { search: 20s }
      """
    And "bob, carol" have made a bid for both jobs
    And the peer that never answers leaves
    Then both jobs complete, on "bob" and on "carol"
    And one of the jobs was refused the lock of "bob": INSUFFICIENT_RESOURCES
    And "bob" never ran two jobs at once

  Scenario: Two jobs race for the only machine, and the loser waits for its turn
    Given the nodes:
      | node  | provides | cpu | work  |
      | alice | no       | 1   |       |
      | erin  | no       | 1   |       |
      | bob   | yes      | 1   | 2s    |
    And a peer that hears every request and never answers
    When "alice" and "erin" post a job at once:
      """
      resources: { cpu: 1 }
      timeouts: { search: 20s, queue: 20s }
      """
    And "bob" has made a bid for both jobs
    And the peer that never answers leaves
    Then both jobs complete, on "bob" and on "bob"
    And one of the jobs was refused the lock of "bob": INSUFFICIENT_RESOURCES
    And "bob" never ran two jobs at once

  Scenario: A bid that comes locked needs no job request
    Given the nodes:
      | node  | provides | locks        |
      | alice | no       |              |
      | bob   | yes      | with the bid |
      | carol | yes      | with the bid |
    When "alice" posts a job
    Then the job completes
    And every bid came locked
    And these events came in this order:
      | event             |
      | bid.received      |
      | lock.acquired     |
      | contract.accepted |
      | job.completed     |
    And no "lock.requested" event came

  Scenario: When a provider is gone after its bid, the next one is asked
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.01  |
      | carol | yes      | 0.90  |
    And a peer that hears every request and never answers
    When "alice" posts a job:
      """
      prefer: price
      timeouts: { search: 20s }
      """
    And "bob, carol" have made a bid
    And "bob" leaves the network
    And the peer that never answers leaves
    Then the job completes on "carol"
    And 1 search was made

  Scenario: A provider that does not answer the job request is given up
    Given the nodes:
      | node  | provides | price |
      | alice | no       |       |
      | bob   | yes      | 0.01  |
      | carol | yes      | 0.90  |
    And a peer that hears every request and never answers
    When "alice" posts a job:
      """
      prefer: price
      timeouts: { search: 20s, lock: 1s }
      """
    And "bob, carol" have made a bid
    And "bob" falls silent
    And the peer that never answers leaves
    Then the job completes on "carol"
    And these events came in this order:
      | event             | provider |
      | lock.requested    | bob      |
      | lock.timeout      | bob      |
      | lock.requested    | carol    |
      | contract.accepted | carol    |
    And the bid of "bob" timed out
