Feature: Joining a network
  One address is enough. Who joins finds the others by itself, and its first job reaches them.

  Scenario: The first job of a node goes to a provider that it has not met
    Given the nodes, each told of the first alone:
      | node  | provides | gpus      |
      | hub   | yes      |           |
      | bob   | yes      | 1 x 16GiB |
      | alice | no       |           |
    When "alice" posts a job:
      """
      resources: { gpus: [{ count: 1 }] }
      """
    Then the job completes on "bob"

  Scenario: On a small network everybody gets in touch with every provider
    Given the nodes, each told of the first alone:
      | node  | provides |
      | hub   | yes      |
      | bob   | yes      |
      | carol | yes      |
      | alice | no       |
    Then "alice" is soon connected with "bob"
    And "alice" is soon connected with "carol"
    And "bob" is soon connected with "carol"

  Scenario: A bootstrap node of another network never answers, and that is said
    Given the nodes:
      | node | provides |
      | hub  | yes      |
    And a node "alice" that posts jobs on the network "elsewhere", told of "hub"
    Then "alice" says that "hub" is not of its network
    When "alice" posts a job
    Then the job fails: "were not asked: this node is of another one"
