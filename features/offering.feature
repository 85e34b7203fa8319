Feature: What a node offers
  A node shows what its machine has, what of it is offered and what is free. One that only posts jobs says so.

  Scenario: A node that offers nothing says why
    Given the nodes:
      | node  | provides |
      | alice | no       |
      | bob   | yes      |
    Then "alice" offers nothing: "provider.enabled is false"
    And all of the capacity of "bob" is free
