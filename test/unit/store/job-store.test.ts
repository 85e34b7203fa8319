import { jobStoreSuite } from '../../suites/job-store.suite.ts';
import { levelFixture, memoryFixture } from './store-fixtures.ts';

jobStoreSuite('LevelDB', levelFixture);
jobStoreSuite('the memory disk', memoryFixture);
