/** From a panel to the list of all broadcasts, without loading the page anew. */
export const toDesk = () => location.assign('#');
