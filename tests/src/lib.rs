//! What the tests of Cofferdam share.
