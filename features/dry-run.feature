Feature: Trying a job
  A dry run searches and ranks as the job would, and says who would take it and why, or why nobody would. Nothing is
  kept, locked or agreed on.

  Background:
    Given the nodes:
      | node  | provides | price | cpu |
      | alice | no       |       | 1   |
      | bob   | yes      | 0.01  | 4   |
      | carol | yes      | 0.90  | 8   |

  Scenario: A dry run names the provider that would be tried first, and leaves nothing behind
    When "alice" tries a job:
      """
      prefer: price
      """
    Then it would go to "bob", of "bob, carol", because "price"
    And "alice" has 0 jobs
    And "bob" ran nothing
    And all of the capacity of "bob" is free
    And all of the capacity of "carol" is free

  Scenario: A provider that locks with its bid locks nothing for a dry run
    Given the nodes:
      | node | provides | locks        |
      | dave | yes      | with the bid |
    When "alice" tries a job:
      """
      resources: { cpu: 1 }
      """
    Then it had a bid of "dave", and no bid with a lock

  Scenario: A dry run says why nobody would take the job, and a smaller one then goes where it said
    Given "alice" knows the adverts of "bob, carol"
    When "alice" tries a job:
      """
      resources: { cpu: 16 }
      """
    Then it would go to nobody: "cpu: 16000m asked, best seen 8000m on 1 provider."
    When "alice" posts a job:
      """
      resources: { cpu: 8 }
      """
    Then the job completes on "carol"

  Scenario: A dry run that asks one provider that nobody knows says that it did not answer
    When "alice" tries a job:
      """
      orchestrationType: push
      preferredProviders: [12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp]
      timeouts: { search: 2s }
      """
    Then it would go to nobody: "preferredProviders: no answer from 12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp. Check the ids, and that those nodes run, offer something and can be reached."
