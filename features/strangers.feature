Feature: Strangers share a machine, and do not hold it
  Identities cost nothing. What a node has not worked for before gets all that nobody else needs, and not what is kept for
  those that it has worked for; and whoever goes away before its work began leaves nothing set aside.

  Scenario: The first job of a newcomer may take all of a machine that nobody else uses
    Given the nodes:
      | node  | provides | cpu |
      | alice | no       |     |
      | bob   | yes      | 4   |
    When "alice" posts a job:
      """
      resources: { cpu: 4 }
      """
    Then the job completes on "bob"

  Scenario: A share stays with those that a node has worked for, and a stranger is told how much it could have
    Given the nodes:
      | node  | provides | cpu |
      | alice | no       |     |
      | erin  | no       |     |
      | bob   | yes      | 4   |
    When "alice" posts 2 jobs one after the other:
      """
      resources: { cpu: 4 }
      """
    And "erin" posts a job:
      """
      resources: { cpu: 4 }
      timeouts: { queue: 0s }
      """
    Then the job fails: "KEPT_SHARE (cpu)"
    And the explanation counts 1 x KEPT_SHARE because of cpu
    And the explanation suggests "cpu: 4000m asked, best seen 3200m on 1 provider."
    And the explanation suggests "have a smaller job done there first"
    When "erin" posts a job:
      """
      resources: { cpu: 3 }
      """
    Then the job completes on "bob"

  Scenario: A stranger that vanishes before its work has begun does not hold the machine
    Given the nodes:
      | node  | provides | cpu | patience |
      | alice | no       |     |          |
      | erin  | no       |     |          |
      | bob   | yes      | 4   | 1s       |
    And "erin" vanishes as soon as its program is asked for
    When "erin" posts a job:
      """
      resources: { cpu: 4 }
      timeouts: { start: 1h }
      """
    And all of the capacity of "bob" is taken
    And "alice" posts a job:
      """
      resources: { cpu: 4 }
      """
    Then the job completes on "bob"

  Scenario: A stranger that goes on with what is wrong is held back, and who owns the node sees it
    Given the nodes:
      | node  | provides | cpu |
      | alice | no       |     |
      | bob   | yes      | 4   |
    And a stranger sends "bob" again and again what is no request
    Then "bob" shows that it holds the stranger back for "MALFORMED"
    When "alice" posts a job:
      """
      resources: { cpu: 1 }
      """
    Then the job completes on "bob"
